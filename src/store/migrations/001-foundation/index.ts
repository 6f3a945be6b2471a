import type { Migration } from '../../schema.js';
import { breakers } from './breakers.js';
import { jobs } from './jobs.js';
import { relay } from './relay.js';
import { access, budgetsAndEvents, metrics } from './runtime.js';
import { coordination, goalsAndTasks } from './tasks.js';
import { native, tools } from './tools.js';

/**
 * The first migration, in parts. Times are epoch milliseconds (`_at`) or monotonic milliseconds of the boot named beside
 * them (`_tick`). JSON is text, booleans are 0 and 1, and the project '' means none.
 */
export const foundation: Migration = {
  version: 1,
  name: 'foundation',
  up: (connection) => {
    for (const part of parts) connection.exec(part);
  },
};

const parts = [goalsAndTasks, coordination, jobs, breakers, relay, tools, budgetsAndEvents, access, native, metrics];
