import { dirname, isAbsolute, relative, sep } from 'node:path';
import { globCovers } from '../../base/path-globs.js';
import { realPath, workTreeOf } from '../../base/work-tree.js';
import { leaseHasLapsed } from '../lease.js';
import type { PathRow } from '../path-reservation.js';

/** A reservation, with the name of the worker where its session has a single one. */
export interface PathWithWorker extends PathRow {
  worker: string | null;
}

/** All reservations whose lease has not expired; takes `clockValues`. */
export const livePaths = `select p.*, (select case when count(*) = 1 then min(s.worker_id) end from worker_slots s
    where s.holder = p.holder) as worker
  from path_reservations p where not ${leaseHasLapsed} order by p.root, p.pattern, p.id`;

/** Who has it, in the words by which they can be written to. */
export const nameOf = ({ worker, holder }: PathWithWorker): string => worker ?? holder;

/** The reservation by which another has a file for itself. `file` is an absolute path, `holder` whoever wants to edit it. */
export function whoHas(
  rows: readonly PathWithWorker[],
  file: string,
  holder: string | undefined,
): PathWithWorker | undefined {
  const foreign = rows.filter((row) => row.is_exclusive === 1 && row.holder !== holder);
  if (foreign.length === 0) return undefined;
  const path = realPath(file);
  const tree = workTreeOf(dirname(path));
  return foreign.find((row) => {
    // A work tree inside of another one is not part of it.
    if (tree !== undefined && tree !== row.root) return false;
    const from = relative(row.root, path);
    if (from === '' || from === '..' || from.startsWith(`..${sep}`) || isAbsolute(from)) return false;
    return globCovers(row.pattern, sep === '\\' ? from.replaceAll(sep, '/') : from);
  });
}
