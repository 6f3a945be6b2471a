import type { AnyTool } from './define-tool.js';
import { asSchema, inputSchema, type JsonSchema } from './input-schema.js';

/**
 * A tool's input as clients list it, which every session reads at its start: without what says nothing to a model. All
 * of it still holds, is said by errors, and stands in the command line's help: unknown arguments are refused, bounds
 * that nobody meets are bounds, and what arguments of many tools mean is told once in the instructions.
 */
export function listedSchema(tool: AnyTool): JsonSchema {
  const { additionalProperties: _, ...schema } = inputSchema(tool);
  return { ...schema, ...(schema.properties ? { properties: listedFields(schema.properties, tool.name) } : {}) };
}

type Properties = NonNullable<JsonSchema['properties']>;

function listedFields(properties: Properties, place: string): Properties {
  // edit_task takes the fields of create_task, and says so.
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => {
      const listed = listedForm(asSchema(schema) ?? {}, `${place}.${name}`);
      if (place === 'edit_task' || (plainNames.has(name) && !notPlain.has(`${place}.${name}`))) {
        for (const key of ['description', 'minimum', 'maximum'] as const) delete listed[key];
      }
      if (toldWords.has(name) || place === 'edit_task') delete listed.enum;
      return [name, asWords(`${place}.${name}`) ?? asFieldsOfTask(name, listed)];
    }),
  );
}

/** Arguments whose words the instructions tell. */
const toldWords: ReadonlySet<string> = new Set(['scope', 'fields']);

/** What an argument says by its name, or the instructions say once for all tools. */
const plainNames: ReadonlySet<string> = new Set([
  'acceptance',
  'action',
  'agent_id',
  'budget_usd',
  'baton_id',
  'claim_token',
  'concurrency',
  'concurrency_key',
  'concurrency_limit',
  'confirm',
  'cooldown_seconds',
  'cron',
  'cursor',
  'deadline',
  'delay_seconds',
  'derivation_method',
  'description',
  'diff',
  'error',
  'error_message',
  'failure_threshold',
  'failure_type',
  'fallback_models',
  'feedback',
  'fields',
  'force',
  'goal',
  'goal_id',
  'idempotency_key',
  'instructions',
  'job_id',
  'kind',
  'lease_seconds',
  'limit',
  'max_attempts',
  'max_chars',
  'max_cooldown_seconds',
  'max_results',
  'max_tasks',
  'metadata',
  'missed',
  'mode',
  'model',
  'name',
  'not_before',
  'offset',
  'output_schema',
  'overlap',
  'parameters',
  'path',
  'permit',
  'pipeline_id',
  'priority',
  'reason',
  'requires',
  'result',
  'run_at',
  'scope',
  'server',
  'since',
  'slot',
  'start',
  'status',
  'status_filter',
  'step_index',
  'stop_sequences',
  'subject',
  'subject_id',
  'system',
  'taskId',
  'task_id',
  'task_ids',
  'tasks',
  'temperature',
  'template',
  'text',
  'timeout_seconds',
  'timezone',
  'title',
  'token_budget',
  'tokens_used',
  'top_k',
  'top_p',
  'type',
  'unique_key',
  'verify',
  'window_minutes',
  'window_seconds',
  'workerId',
  'workerSlot',
  'worker_id',
  'working_directory',
  'worktree',
]);

/** Those of these names that mean something else than elsewhere. */
const notPlain: ReadonlySet<string> = new Set([
  'call_tool.agent_id',
  'circuit_breaker_status.agent_id',
  'finish_worktree.action',
  'submit_job.type',
  'submit_job.concurrency_key',
  'submit_job.unique_key',
  'create_goal.description',
  'submit_background_task.model',
  'submit_background_task.task_id',
  'submit_background_task.token_budget',
  'run_relay.token_budget',
]);

/** Objects and lists of objects whose fields are told in words, or stand whole at another tool. */
function asWords(place: string): JsonSchema | undefined {
  switch (place) {
    case 'submit_background_task.model_params':
      return {
        type: 'object',
        description: 'max_tokens, temperature, top_p, top_k, stop_sequences, num_ctx, json_schema',
      };
    // The types stand whole at circuit_breaker_record_failure.
    case 'circuit_breaker_configure.failure_weights':
      return {
        type: 'object',
        description: 'Weights by failure_type, 0 to 100, such as {"rate_limited": 0}; 1 unless given.',
      };
    case 'decompose_task.tasks':
      return { type: 'array', items: { type: 'object', description: 'as for decompose_goal' } };
    default:
      return undefined;
  }
}

/** Lists of tasks as create_task takes one: its twelve fields are listed there. */
function asFieldsOfTask(name: string, schema: JsonSchema): JsonSchema {
  const fields = asSchema(schema.items as JsonSchema | undefined)?.properties ?? {};
  if (name !== 'tasks' || fields.on_dependency_failure === undefined) return schema;
  const most = fields.deadline
    ? 'the fields of create_task'
    : 'the fields of create_task but goal_id, deadline, not_before, discovered_from';
  return {
    ...schema,
    items: { type: 'object', description: `${most}; dependencies also by key, title or place from 0` },
  };
}

/** A limit beyond this is met by no sensible call, and is told when it is. */
const farBound = 100;

function listedForm({ additionalProperties, ...schema }: JsonSchema, place: string): JsonSchema {
  const listed: JsonSchema = { ...schema };
  delete listed.minLength;
  delete listed.maxLength;
  delete listed.minItems;
  delete listed.maxItems;
  delete listed.pattern;
  delete listed.format;
  if (listed.maximum !== undefined && listed.maximum >= farBound) delete listed.maximum;
  if (listed.maximum === undefined && (listed.minimum === 0 || listed.minimum === 1)) delete listed.minimum;
  if (schema.properties) listed.properties = listedFields(schema.properties, place);
  const item = Array.isArray(schema.items) ? undefined : asSchema(schema.items as JsonSchema | undefined);
  // What a list has is told once, at the list.
  if (item) listed.items = withoutDescription(listedForm(item, place));
  // What a record may have in it, where that is not just anything.
  const values = asSchema(additionalProperties);
  if (values && Object.keys(values).length > 0) listed.additionalProperties = listedForm(values, place);
  return schema.anyOf ? withTypeList(listed, schema.anyOf as JsonSchema[]) : listed;
}

const withoutDescription = ({ description: _, ...schema }: JsonSchema): JsonSchema => schema;

/** `anyOf` of plain types as a list of types, which says the same. */
function withTypeList({ anyOf: _, ...listed }: JsonSchema, branches: readonly JsonSchema[]): JsonSchema {
  const forms = branches.map((branch) => listedForm(branch, ''));
  const arePlain = forms.every((form) => Object.keys(form).every((key) => key === 'type' || key === 'description'));
  if (!arePlain) return { ...listed, anyOf: forms };
  const described = forms.find(({ description }) => description !== undefined);
  const description = listed.description ?? described?.description;
  const type = forms.map((form) => form.type) as unknown as 'string';
  return { type, ...listed, ...(description === undefined ? {} : { description }) };
}
