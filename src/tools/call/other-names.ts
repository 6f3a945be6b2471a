/**
 * What models call things that are named otherwise here. Read only where the name or word that was sent is not itself
 * known, so that nothing that is valid changes its meaning. What stands here is accepted for ever: add, never remove.
 */

/** Other names of an argument, written without `_` and capitals. */
export const otherNames: Readonly<Record<string, readonly string[]>> = {
  acceptance: ['acceptancecriteria', 'criteria', 'donewhen'],
  agent_id: ['id', 'agent', 'agenttype', 'agentname'],
  agent_type: ['agent', 'type', 'agentid'],
  agent_types: ['agents'],
  arguments: ['args', 'input', 'parameters', 'params'],
  claim_token: ['token', 'claim', 'fencingtoken', 'leasetoken'],
  deadline: ['due', 'dueat', 'duedate', 'dueby'],
  dependencies: ['dependson', 'dependency', 'deps', 'blockedby', 'requires'],
  depends_on: ['dependencies', 'dependency', 'deps', 'blockedby', 'requires'],
  description: ['details', 'body', 'desc'],
  error: ['errormessage', 'reason'],
  error_message: ['error', 'message'],
  failure_type: ['type'],
  goal_id: ['id', 'goal'],
  id: ['key', 'taskid', 'slug', 'name'],
  job_id: ['id', 'taskid', 'runid', 'job'],
  key: ['id', 'slug'],
  limit: ['maxresults', 'pagesize', 'count', 'max'],
  max_chars: ['maxcharacters', 'maxlength'],
  max_results: ['limit', 'count'],
  model_params: ['params', 'parameters', 'modelparameters'],
  name: ['title'],
  not_before: ['startafter', 'runat', 'startat'],
  note: ['notes', 'comment'],
  output: ['result'],
  parameters: ['params', 'variables', 'values'],
  payload: ['input', 'params', 'config'],
  pipeline_id: ['id', 'relayid', 'pipeline', 'relay'],
  query: ['q', 'search', 'text', 'searchquery'],
  result: ['output'],
  run_at: ['notbefore', 'startat', 'scheduledat'],
  slot: ['workerslot'],
  status: ['statusfilter', 'state', 'newstatus'],
  status_filter: ['status', 'state'],
  step_index: ['step', 'index'],
  system: ['systemprompt'],
  taskId: ['id', 'task', 'key'],
  task_description: ['prompt', 'description', 'task', 'message'],
  task_id: ['id', 'boardtaskid', 'jobid', 'runid', 'task', 'key'],
  task_ids: ['ids', 'jobids', 'taskid', 'jobid', 'runid', 'id'],
  tasks: ['plan', 'steps', 'subtasks', 'items'],
  text: ['query', 'search'],
  timeout_seconds: ['waitseconds'],
  title: ['name', 'subject'],
  tokens_used: ['tokens'],
  tool_name: ['tool', 'name'],
  type: ['jobtype', 'agenttype'],
  wait_seconds: ['timeoutseconds'],
  workerId: ['worker', 'agentid'],
  workerSlot: ['slot'],
  worker_id: ['worker', 'agentid'],
};

/** Names that could mean several things: read as an argument only where that argument is required, or is the key of a new task. */
export const vagueNames: ReadonlySet<string> = new Set([
  'id',
  'key',
  'name',
  'type',
  'task',
  'message',
  'jobid',
  'runid',
  'taskid',
]);

/** Other words for a word of an enum, written without `_` and capitals. */
export const otherWords: Readonly<Record<string, readonly string[]>> = {
  active: ['open', 'inprogress', 'running'],
  all: ['any', 'everything', 'global'],
  block: ['wait'],
  brief: ['short', 'summary'],
  cancelled: ['canceled', 'aborted', 'stopped', 'dropped', 'abandoned'],
  completed: ['done', 'complete', 'finished', 'success', 'succeeded', 'successful', 'closed', 'resolved', 'ok'],
  done: ['completed', 'complete', 'finished', 'success', 'succeeded', 'closed', 'resolved', 'ok'],
  failed: ['fail', 'failure', 'error', 'errored'],
  full: ['long', 'detailed', 'details', 'verbose'],
  high: ['urgent', 'critical'],
  in_progress: ['started', 'start', 'working', 'running', 'active', 'doing', 'wip', 'claimed', 'ongoing'],
  low: ['background'],
  medium: ['normal', 'default'],
  parallel: ['concurrent'],
  pending: ['todo', 'open', 'queued', 'waiting', 'new', 'notstarted', 'available', 'backlog'],
  project: ['current', 'local', 'mine'],
  quality_failure: ['quality', 'lowquality'],
  rate_limited: ['ratelimit', '429', 'toomanyrequests'],
  running: ['inprogress', 'active', 'started', 'working'],
  sequential: ['sequence', 'serial'],
  timeout: ['timedout'],
};

/** Arguments that ask for at most so much: more than there may be is cut to that, and said. */
export const cutToMost: ReadonlySet<string> = new Set([
  'limit',
  'max_chars',
  'max_results',
  'timeout_seconds',
  'wait_seconds',
]);

/** Times by which something must have happened: a date without a time means the end of that day, elsewhere its start. */
export const endsOfDays: ReadonlySet<string> = new Set(['deadline']);
