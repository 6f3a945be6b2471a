/** What forms of the page put together, and what the server says of it. */
export type { FieldProblem } from '../../base/errors.js';
export type { Json } from '../../base/json.js';
