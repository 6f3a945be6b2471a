import type { z } from 'zod';
import { jobListOutput } from '../../tools/jobs.js';
import { agentListOutput } from '../../tools/shapes/agent.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import type { Paint } from '../output.js';
import { type Column, printTable, relativeIso } from '../table.js';
import { readInput } from '../tool/read-input.js';
import { wrap } from '../tool/show-tool.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { readSettingOf } from '../with-runtime.js';
import { callFor, jobTool } from './job-tool.js';
import { paintStatus } from './status.js';

export interface ListOptions {
  statusFilter: string | undefined;
  type: string | undefined;
  isDead: boolean;
  /** A number as it was typed. */
  limit: string | undefined;
  /** Every job of every project. */
  isAll: boolean;
}

/** Lists jobs, newest first. Programs get the list that the earlier job server printed. */
export async function runListJobs(options: ListOptions, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const { jobs, hasMore } = await withCaller(readSettingOf(flags), flags, output, async (caller) => {
    const filter = await readFilter(options, caller);
    return listJobs(caller, filter, options.isAll ? Number.POSITIVE_INFINITY : filter.limit);
  });
  if (wantsJson) {
    output.printJson(jobs.map(({ job_id, ...job }) => ({ id: job_id, ...job })));
  } else if (jobs.length === 0) output.print('No jobs found');
  else printTable(output, jobColumns(output.paint, Date.now(), shortestLength(jobs)), jobs);
  if (hasMore && !flags.isQuiet)
    output.say(`There are more: these are the newest ${jobs.length}; --all lists every one.`);
}

type ListedJob = z.output<typeof jobListOutput>['jobs'][number];

const defaultLimit = 20;

/** The arguments of list_jobs. Its schema converts the texts of the command line. */
async function readFilter({ statusFilter, type, isDead, limit, isAll }: ListOptions, { runtime }: Caller) {
  const tool = jobTool('list_jobs', runtime.config);
  const given = await readInput(tool, { pairs: limit === undefined ? [] : [`limit=${limit}`] });
  return {
    status_filter: statusFilter,
    type,
    dead: isDead || undefined,
    limit: typeof given.limit === 'number' ? given.limit : defaultLimit,
    scope: isAll ? 'all' : undefined,
  };
}

async function listJobs(caller: Caller, filter: Record<string, unknown>, most: number) {
  const jobs: ListedJob[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(most - jobs.length, 200);
    const page = await callFor(caller, 'list_jobs', { ...filter, limit, cursor }, jobListOutput);
    jobs.push(...page.jobs);
    cursor = page.next_cursor;
  } while (cursor !== undefined && jobs.length < most);
  return { jobs, hasMore: cursor !== undefined };
}

/** How much of the ids tells these jobs apart, as Git shortens hashes: 8 letters and more if need be. */
function shortestLength(jobs: readonly ListedJob[]): number {
  let length = 8;
  while (length < 36 && new Set(jobs.map(({ job_id }) => job_id.slice(0, length))).size < jobs.length) length += 1;
  return length;
}

function jobColumns(paint: Paint, now: number, idLength: number): Column<ListedJob>[] {
  return [
    { title: 'ID', value: ({ job_id }) => job_id.slice(0, idLength) },
    {
      title: 'STATUS',
      value: ({ status, dead }) => (dead ? `${status} (dead)` : status),
      paint: (cell, { status }) => paintStatus(status, cell, paint),
    },
    { title: 'CREATED', value: ({ created_at }) => relativeIso(created_at, now) },
    { title: 'JOB', value: ({ about }) => about, isText: true },
  ];
}

/** Lists the job types, or one of them with its schema. Programs get the shape that the earlier job server printed. */
export async function runAgents(
  { type }: { type: string | undefined },
  { flags, output, wantsJson }: CommandContext,
): Promise<void> {
  const { agents, supported_job_types, ...rest } = await withCaller(readSettingOf(flags), flags, output, (caller) =>
    callFor(caller, 'list_agents', { type }, agentListOutput),
  );
  if (wantsJson) {
    output.printJson({ registered_agents: supported_job_types.length, supported_job_types, agents, ...rest });
    return;
  }
  const width = output.columns();
  for (const agent of agents) {
    output.print(output.paint('bold', agent.type));
    output.quote(wrap(agent.description, width, '  '));
    if (agent.submit_with !== undefined) output.quote(`  submitted by: ${commandName} tool ${agent.submit_with}`);
    if (agent.payload.length > 0) output.quote(wrap(`payload: ${agent.payload.join(', ')}`, width, '  '));
    if (agent.schema !== undefined) output.printJson(agent.schema);
  }
}
