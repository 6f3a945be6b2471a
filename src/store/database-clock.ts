import type { Clock } from '../base/clock.js';
import type { Database } from './sql.js';

/** The clock of this host, set right by the database: hosts disagree about the time, and all times that are compared are its own. */
export const databaseClock = ({ clockOffset }: Pick<Database, 'clockOffset'>, host: Clock): Clock => ({
  ...host,
  now: () => host.now() + clockOffset(),
});
