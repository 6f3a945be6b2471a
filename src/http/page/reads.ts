import { boardReads } from './board-reads.js';
import { jobReads } from './job-reads.js';
import { nowReads } from './now-reads.js';
import { timeReads } from './time-reads.js';

/** All that the page reads and no tool returns. */
export const pageReads = [...nowReads, ...boardReads, ...jobReads, ...timeReads];
