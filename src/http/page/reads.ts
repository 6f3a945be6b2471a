import { activityReads } from './activity-reads.js';
import { boardReads } from './board-reads.js';
import { boardWrites } from './board-writes.js';
import { jobReads } from './job-reads.js';
import { jobWrites } from './job-writes.js';
import { nowReads } from './now-reads.js';
import { relayCalls } from './relay-calls.js';
import { runnerReads } from './runners.js';
import { searchReads } from './search-reads.js';
import { settingsReads, settingsWrites } from './settings-calls.js';
import { templateCalls } from './templates.js';
import { timeReads } from './time-reads.js';
import { toolRouteReads } from './tool-routes.js';

/** All that the page reads and no tool returns, and changes and no tool does. */
export const pageReads = [
  ...nowReads,
  ...boardReads,
  ...boardWrites,
  ...jobReads,
  ...timeReads,
  ...activityReads,
  ...searchReads,
  ...settingsReads,
  ...relayCalls,
  ...templateCalls,
  ...runnerReads,
  ...toolRouteReads,
  ...jobWrites,
  ...settingsWrites,
];
