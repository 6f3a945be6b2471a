import { z } from 'zod';
import type { JsonObject } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import { type Suggested, type Suggestions, suggest } from '../core/overview/suggest.js';
import type { Runtime } from '../runtime.js';
import { type Handlers, RequestError, readParams } from './exchange.js';
import { invalidParams } from './json-rpc.js';
import type { OtherCatalogs } from './other-catalogs.js';

const completeParams = z.looseObject({
  ref: z.union([
    z.looseObject({ type: z.literal('ref/prompt'), name: z.string() }),
    z.looseObject({ type: z.literal('ref/resource'), uri: z.string() }),
  ]),
  argument: z.looseObject({ name: z.string(), value: z.string() }),
});

/** What each argument of a prompt, and each variable of a resource template, stands for; undefined is free text. */
const ofPrompts: Readonly<Record<string, Readonly<Record<string, Suggested | undefined>>>> = {
  plan: { goal: undefined },
  work: { goal_id: 'goal' },
  status: {},
  from_template: { template: 'template' },
};
const ofResources: Readonly<Record<string, Suggested | 'agent'>> = {
  'goal://{id}': 'goal',
  'task://{id}': 'task',
  'job://{id}': 'job',
  'agent://{type}': 'agent',
};

/** By the specification, a reply has no more. */
const mostValues = 100;

export interface CompletionNeeds {
  actor: Actor;
  runtime(): Promise<Runtime>;
  others: Pick<OtherCatalogs, 'complete'>;
}

/** Suggests ids and names to somebody who types an argument (MCP spec 2025-11-25, completion). */
export function completionHandlers(needs: CompletionNeeds): Handlers {
  return {
    'completion/complete': async (params, { signal }) => {
      const given = readParams('completion/complete', completeParams, params);
      const { ref, argument } = given;
      const isOwn =
        ref.type === 'ref/prompt' ? Object.hasOwn(ofPrompts, ref.name) : Object.hasOwn(ofResources, ref.uri);
      const other = isOwn ? undefined : await needs.others.complete(given as JsonObject & { ref: JsonObject }, signal);
      if (other) return other;
      const kind = ref.type === 'ref/prompt' ? kindOfPrompt(ref.name, argument.name) : kindOfResource(ref.uri);
      const { values, hasMore } = kind ? await suggestionsOf(kind, argument.value) : { values: [], hasMore: false };
      return { completion: { values, hasMore } };
    },
  };

  async function suggestionsOf(kind: Suggested | 'agent', typed: string): Promise<Suggestions> {
    const { db, agents } = await needs.runtime();
    if (kind === 'agent') {
      const types = (await agents.describe()).agents.map(({ type }) => type);
      return { values: types.filter((type) => type.startsWith(typed.trim())).slice(0, mostValues), hasMore: false };
    }
    return suggest(db, kind, typed, { project: needs.actor.project || undefined, limit: mostValues });
  }
}

function kindOfPrompt(name: string, argument: string): Suggested | undefined {
  const kinds = Object.hasOwn(ofPrompts, name) ? ofPrompts[name] : undefined;
  if (!kinds) throw new RequestError(invalidParams, `There is no prompt ${JSON.stringify(name)}.`);
  if (Object.hasOwn(kinds, argument)) return kinds[argument];
  throw new RequestError(invalidParams, `The prompt ${name} has no argument ${JSON.stringify(argument)}.`);
}

function kindOfResource(uri: string): Suggested | 'agent' {
  const kind = Object.hasOwn(ofResources, uri) ? ofResources[uri] : undefined;
  if (kind) return kind;
  const known = Object.keys(ofResources).join(', ');
  throw new RequestError(invalidParams, `There is no resource template ${JSON.stringify(uri)}. There are ${known}.`);
}
