import { isObject } from '../base/json.js';
import { RequestError } from './exchange.js';
import { invalidParams } from './json-rpc.js';

/** Refuses the cursor of a page that was never given out, as each of our lists is one page (MCP spec, pagination). */
export function refuseCursor(method: string, params: unknown): void {
  if (!isObject(params) || params.cursor === undefined) return;
  const shown = JSON.stringify(params.cursor).slice(0, 100);
  throw new RequestError(invalidParams, `${method}: ${shown} is not a cursor of this list, which is one page.`);
}
