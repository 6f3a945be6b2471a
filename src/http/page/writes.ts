import { jobWrites } from './job-writes.js';

/** What people do on the page and no model needs to: declared as tools are, and called by POST `/api/page/NAME`. */
export const pageWrites = [...jobWrites];
