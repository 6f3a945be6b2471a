import { commandName } from './launch.js';

/** The commands that do what a tool does. Every other tool is called as `agent-runtime tool NAME`. */
const commandOf: Readonly<Record<string, string>> = {
  list_background_tasks: 'list-jobs',
  list_jobs: 'list-jobs',
  check_task_status: 'status ID',
  get_job_status: 'status ID',
  get_task_result: 'result ID',
  cancel_task: 'cancel ID',
  cancel_job: 'cancel ID',
  wait_for_tasks: 'wait ID',
  retry_task: 'retry ID',
  submit_job: 'submit',
  list_agents: 'agents',
  list_goals: 'goals',
  list_tasks: 'tasks',
  get_available_tasks: 'tasks --ready',
  get_task: 'task ID',
  get_next_task: 'next',
  runtime_status: 'status',
  backup_database: 'backup',
  get_metrics: 'metrics',
};

/**
 * Advice as a person in a shell can follow it: `Call list_jobs` becomes "Run `agent-runtime list-jobs`". Advice is written
 * for models, which call tools; a name that is part of a command already stays. `tools` are the names of all tools, which
 * advice also gives without the word "call": "change that task with edit_task".
 */
export function forShell(advice: string, tools: readonly string[] = []): string {
  const known = new Set(tools);
  const toCommand = (whole: string, call: string | undefined, name: string): string => {
    const isTool = call !== undefined || (known.has(name) && name.includes('_'));
    const command = commandOf[name] ?? (isTool ? `tool ${name}` : undefined);
    if (command === undefined) return whole;
    const run = call === undefined ? '' : call.startsWith('C') ? 'Run ' : 'run ';
    return `${run}\`${commandName} ${command}\``;
  };
  const named = advice
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll(toolName, toCommand)))
    .join('');
  // Two tools may be one command.
  return named.replaceAll(/(`[^`]*`) or \1/g, '$1');
}

/** A name in snake case, with the word that says that it is called; not as `agent-runtime tool NAME`. Two are everyday words. */
const toolName = /(?<!\btool )\b([Cc]all )?([a-z]+(?:_[a-z]+)+|(?<=[Cc]all )(?:heartbeat|schedule))\b/g;
