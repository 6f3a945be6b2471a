import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import type { AnyTool } from '../../tools/call/define-tool.js';
import type { Env } from '../guard.js';
import { describeApi } from './describe-api.js';

/**
 * `/api/openapi.json`: what the visitor may use of `/api`. Each of the two descriptions, of all tools and of those that
 * only read, is built when it is first asked for.
 */
export function openApi(tools: readonly AnyTool[], { needsToken }: { needsToken: boolean }): Hono<Env> {
  const built = new Map<boolean, { text: string; tag: string }>();

  function description(isReadOnly: boolean) {
    const known = built.get(isReadOnly);
    if (known) return known;
    const usable = tools.filter((tool) => tool.effect === 'read' || !isReadOnly);
    const text = JSON.stringify(describeApi(usable, { needsToken }));
    const made = { text, tag: `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"` };
    built.set(isReadOnly, made);
    return made;
  }

  return new Hono<Env>().get('/', etag(), ({ get }) => {
    const { text, tag } = description(get('visitor').isReadOnly);
    return new Response(text, {
      headers: {
        'Content-Type': 'application/json',
        ETag: tag,
        'Cache-Control': 'private, no-cache',
        Vary: 'Authorization, Cookie',
      },
    });
  });
}
