import type { z } from 'zod';
import { statusOutput } from '../../tools/shapes/overview.js';
import type { CommandContext } from '../define-command.js';
import { forShell } from '../for-shell.js';
import { callFor } from '../jobs/job-tool.js';
import type { Output } from '../output.js';
import { type Column, oneLine, relativeIso, renderTable } from '../table.js';
import { withCaller } from '../tool/with-caller.js';
import { readSettingOf } from '../with-runtime.js';

type RuntimeStatus = z.infer<typeof statusOutput>;

/** Prints what all sessions are doing, as runtime_status returns it: text in a terminal, JSON elsewhere. */
export async function showRuntimeStatus({ flags, output, wantsJson }: CommandContext): Promise<void> {
  await withCaller(readSettingOf(flags), flags, output, async (caller) => {
    const status = await callFor(caller, 'runtime_status', {}, statusOutput);
    if (wantsJson) output.printJson(status);
    else output.print(renderRuntimeStatus(status, caller.runtime.clock.now(), output));
  });
}

/** The state of the runtime as text; `now` is in ms since 1970. */
export function renderRuntimeStatus(
  { all, yours, models, database, next }: RuntimeStatus,
  now: number,
  output: Pick<Output, 'columns' | 'paint'>,
): string {
  const { ready, waiting, in_progress, failed, overdue } = all.tasks;
  const { running, pending, runners } = all.background;
  const fields: [name: string, value: string][] = [
    ['sessions', `${all.sessions} live, ${all.slots.replace(' held', '')} worker slots held`],
    [
      'tasks',
      `${ready} ready · ${waiting} waiting · ${in_progress} in progress · ${failed} failed · ${overdue} overdue`,
    ],
    ['jobs', `${running} running · ${pending} pending · ${yours.unread_results.length} unread results`],
    ['runners', String(runners)],
    ['breakers', all.open_breakers ? `${all.open_breakers.length} open` : 'none open'],
    ['models', models.configured.length === 0 ? 'none configured' : models.configured.join(', ')],
    ['database', `${database.path} (${megabytes(database.size_bytes)})`],
    ['next', forShell(next)],
  ];
  return [
    ...fields.map(([name, value]) => `${output.paint('bold', name.padEnd(10))} ${oneLine(value)}`),
    ...tables(all, now, output),
  ].join('\n');
}

function tables(
  all: RuntimeStatus['all'],
  now: number,
  { columns, paint }: Pick<Output, 'columns' | 'paint'>,
): string[] {
  const section = <Row>(
    title: string,
    rows: readonly Row[] | undefined,
    shown: readonly Column<NoInfer<Row>>[],
  ): string[] =>
    rows === undefined || rows.length === 0
      ? []
      : ['', paint('bold', title), renderTable(shown, rows, { width: columns(), paint })];
  const id = { title: 'ID', value: ({ id }: { id: number }) => String(id), isNumber: true };
  const task = { title: 'TASK', value: ({ title }: { title: string }) => title, isText: true };
  return [
    ...section('TASKS IN PROGRESS', all.in_progress, [
      id,
      task,
      { title: 'WORKER', value: ({ by = '' }) => by, isText: true },
      { title: 'LEASE ENDS', value: ({ until }) => relativeIso(until, now) },
    ]),
    ...section('TASKS THAT WAIT', all.waiting, [
      id,
      task,
      { title: 'BECAUSE', value: ({ because }) => because, isText: true },
    ]),
    ...section('GOALS', all.goals, [
      id,
      { title: 'GOAL', value: ({ name }) => name, isText: true },
      { title: 'DONE', value: ({ done }) => done, isNumber: true },
    ]),
    ...section('OPEN BREAKERS', all.open_breakers, [
      { title: 'BREAKER', value: ({ id }) => id, isText: true },
      { title: 'STATE', value: ({ state, held }) => (held ? `${state}, held` : state) },
      { title: 'RETRY', value: ({ retry_at }) => relativeIso(retry_at, now) },
    ]),
    ...section('SICK SERVERS', all.sick_servers, [
      { title: 'SERVER', value: ({ server }) => server },
      { title: 'PROBLEM', value: ({ problem }) => problem, isText: true },
      { title: 'IT WROTE', value: ({ said = '' }) => said, isText: true },
    ]),
    ...section('RELAYS', all.relays, [
      { title: 'ID', value: ({ pipeline_id }) => pipeline_id },
      { title: 'RELAY', value: ({ name }) => name, isText: true },
      { title: 'STEP', value: ({ step }) => step, isNumber: true },
    ]),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
