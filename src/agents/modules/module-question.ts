import type { Json, JsonObject } from '../../base/json.js';

/** What a host is asked about its module, over the channel to the process that started it. */
export type ModuleQuestion = { ask: 'describe' } | { ask: 'check'; type: string; payload: Json };

/** What it answers; `failed` when the module could not be imported. */
export type ModuleAnswer =
  | { kind: 'described'; agents: DescribedAgent[] }
  | { kind: 'checked'; problem: string | undefined }
  | { kind: 'failed'; reason: string };

/** An agent without its code. */
export interface DescribedAgent {
  type: string;
  description: string;
  concurrency: number | undefined;
  timeoutSeconds: number | undefined;
  /** What its payload takes, as JSON schema, where its schema can tell. */
  schema: JsonObject | undefined;
}
