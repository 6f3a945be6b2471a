import { RuntimeError } from '../../base/errors.js';
import { sharingWord } from '../../base/text.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { Pool } from '../pool/pool.js';
import { nativeServer } from './resolve.js';

export interface RequireSourceNeeds {
  pools: ReadonlyMap<string, Pool>;
  natives: readonly NativeTool[];
  /** Throws `not_found` for an unknown server. */
  poolOf(server: string): Pool;
}

/**
 * Throws `not_found` unless `source` can be asked for a tool: `native` for a built-in one, a server, or `server.tool` for
 * a tool that its server may have.
 */
export async function requireSource(
  source: string,
  tool: string,
  { pools, natives, poolOf }: RequireSourceNeeds,
): Promise<void> {
  const [server = '', ...rest] = source.split('.');
  if (source === nativeServer && !pools.has(source)) {
    const bare = tool.slice(tool.indexOf('.') + 1);
    if (natives.some(({ name }) => name === bare)) return;
    throw new RuntimeError(
      'not_found',
      `${JSON.stringify(bare)} is not built in, so native cannot answer it.`,
      `Built in are: ${natives.map(({ name }) => name).join(', ')}.`,
    );
  }
  const list = await poolOf(server).knownTools();
  const wanted = rest.join('.');
  if (!list || wanted === '' || list.tools.some(({ name }) => name === wanted)) return;
  const similar = sharingWord(
    wanted,
    list.tools.map(({ name }) => name),
  );
  throw new RuntimeError(
    'not_found',
    `The server ${server} has no tool ${JSON.stringify(wanted)}.${similar.length > 0 ? ` Similar: ${similar.join(', ')}.` : ''}`,
    `Call list_available_tools with server ${server} for all of its tools.`,
  );
}
