import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import { isSweep } from '../../core/jobs/job.js';
import { comparisonOutput, type ShownComparison } from '../../tools/shapes/comparison.js';
import type { CommandContext } from '../define-command.js';
import type { Paint } from '../output.js';
import { type Column, printTable } from '../table.js';
import { withCaller } from '../tool/with-caller.js';
import { readSettingOf } from '../with-runtime.js';
import { callFor } from './job-tool.js';
import { wholeJobId } from './named-job.js';
import { paintStatus } from './status.js';

export interface CompareOptions {
  type: string | undefined;
  where: string[];
  figures: string[];
  limit: string | undefined;
}

/** Compares jobs as a table, the best on top. */
export async function runCompare(options: CompareOptions, context: CommandContext): Promise<void> {
  const { flags, output, wantsJson, excessWords } = context;
  const { type, where, figures, limit } = options;
  const sweeps = excessWords.filter(isSweep);
  if (sweeps.length > 1) throw new RuntimeError('invalid', 'Several sweeps are named.', 'Compare one at a time.');
  const compared = await withCaller(readSettingOf(flags), flags, output, async (caller) => {
    const jobIds: string[] = [];
    for (const id of excessWords.filter((word) => !isSweep(word))) jobIds.push(await wholeJobId(caller.runtime, id));
    const input = {
      job_ids: jobIds.length === 0 ? undefined : jobIds,
      sweep: sweeps[0],
      type,
      where: where.length === 0 ? undefined : where,
      figures: figures.length === 0 ? undefined : figures,
      limit: limit === undefined ? undefined : Number(limit),
    };
    return callFor(caller, 'compare_jobs', input, comparisonOutput);
  });
  if (wantsJson) {
    output.printJson(compared);
    return;
  }
  const { jobs, same, count, total } = compared;
  if (jobs.length === 0) output.print('No job matches.');
  else printTable(output, columnsOf(compared, output.paint), jobs);
  if (flags.isQuiet) return;
  if (Object.keys(same).length > 0) output.quote(`The same for all: ${words(same)}`);
  if (count < total) output.say(`These are the best ${count} of ${total}; --limit shows more.`);
}

type Compared = ShownComparison['jobs'][number];

function columnsOf({ jobs, figures }: ShownComparison, paint: Paint): Column<Compared>[] {
  const parameters = [...new Set(jobs.flatMap((job) => Object.keys(job.parameters)))];
  return [
    { title: 'ID', value: ({ job_id }) => job_id.slice(0, 8) },
    {
      title: 'STATUS',
      value: ({ status }) => status,
      paint: (cell, { status }) => paintStatus(status, cell, paint),
    },
    ...parameters.map(
      (name): Column<Compared> => ({ title: name, value: (job) => word(job.parameters[name]), isText: true }),
    ),
    ...figures.map(
      ({ name }): Column<Compared> => ({
        title: name,
        // The mark is for those who see no colours.
        value: (job) => (name in job.figures ? `${job.figures[name]}${job.best?.includes(name) ? ' *' : '  '}` : ''),
        isNumber: true,
        paint: (cell, job) => (job.best?.includes(name) ? paint('green', cell) : cell),
      }),
    ),
  ];
}

const word = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

const words = (values: JsonObject): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${word(value)}`)
    .join(' ');
