import type { z } from 'zod';
import { agentListOutput, jobListOutput } from '../../tools/jobs.js';
import type { GlobalFlags } from '../global-flags.js';
import { type Output, type Paint, printable } from '../output.js';
import { readInput } from '../tool/read-input.js';
import { wrap } from '../tool/show-tool.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { callFor, jobTool } from './job-tool.js';
import { paintStatus } from './status.js';

export interface ListOptions {
  statusFilter?: string;
  type?: string;
  dead?: boolean;
  /** As it was typed. */
  limit?: string;
  /** Every job of every project. */
  all?: boolean;
}

/** Jobs, newest first; for programs the list that the earlier job server printed. */
export async function runListJobs(options: ListOptions, flags: GlobalFlags, output: Output): Promise<void> {
  const { jobs, hasMore } = await withCaller(settingOf(flags), flags, output, async (caller) => {
    const filter = await readFilter(options, caller);
    return listJobs(caller, filter, options.all ? Number.POSITIVE_INFINITY : filter.limit);
  });
  if (flags.isJson || (jobs.length > 0 && !output.isTerminal)) {
    output.printJson(jobs.map(({ job_id, ...job }) => ({ id: job_id, ...job })));
  } else if (jobs.length === 0) output.print('No jobs found');
  else for (const job of jobs) output.print(renderRow(job, output.paint));
  if (hasMore && !flags.isQuiet)
    output.say(`There are more: the newest ${jobs.length} are shown; --all lists every one.`);
}

type ListedJob = z.output<typeof jobListOutput>['jobs'][number];

const defaultLimit = 20;

/** The arguments of list_jobs, with the texts of the command line read as its schema says. */
async function readFilter({ statusFilter, type, dead, limit, all }: ListOptions, { runtime }: Caller) {
  const tool = jobTool('list_jobs', runtime.config);
  const given = await readInput(tool, { pairs: limit === undefined ? [] : [`limit=${limit}`] });
  return {
    status_filter: statusFilter,
    type,
    dead,
    limit: typeof given.limit === 'number' ? given.limit : defaultLimit,
    scope: all ? 'all' : undefined,
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

function renderRow(job: ListedJob, paint: Paint): string {
  const status = paintStatus(job, paint, 'failed (dead)'.length);
  const about = printable(job.about).replaceAll(/\s+/g, ' ');
  return `${job.job_id}  ${status}  ${job.created_at.slice(0, 19)}Z  ${about}`;
}

/** The job types there are, for programs in the shape of the earlier job server; one of them with its whole schema. */
export async function runAgents(type: string | undefined, flags: GlobalFlags, output: Output): Promise<void> {
  const { agents, supported_job_types, ...rest } = await withCaller(settingOf(flags), flags, output, (caller) =>
    callFor(caller, 'list_agents', { type }, agentListOutput),
  );
  if (flags.isJson || !output.isTerminal) {
    output.printJson({ registered_agents: supported_job_types.length, supported_job_types, agents, ...rest });
    return;
  }
  const width = process.stdout.columns || 100;
  for (const agent of agents) {
    output.print(output.paint('bold', agent.type));
    output.quote(wrap(agent.description, width, '  '));
    if (agent.payload.length > 0) output.quote(wrap(`payload: ${agent.payload.join(', ')}`, width, '  '));
    if (agent.schema !== undefined) output.printJson(agent.schema);
  }
}
