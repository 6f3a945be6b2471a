import { z } from 'zod';
import type { EpochMs } from '../../base/clock.js';
import type { JsonObject } from '../../base/json.js';
import { isReadOnly } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { InstanceView, Pool } from '../pool/pool.js';
import { nativeServer } from '../routing/resolve.js';

export interface ToolFilter {
  /** Words that must all occur in the name or description. */
  query?: string | undefined;
  server?: string | undefined;
}

/** up: an instance runs. idle: a call will start it. down: it was tried and did not start, or does not answer. */
export type ServerHealth = 'native' | 'up' | 'idle' | 'down';

export interface ListedTool {
  /** The name for call_tool. */
  name: string;
  description: string;
  health: ServerHealth;
  isReadOnly: boolean;
  inputSchema: JsonObject;
  /** When its server listed it; null for native tools. */
  listedAt: EpochMs | null;
}

const listTimeoutMs = 20_000;

/** Every tool that can be called. A server that is down has the tools of its last list. */
export async function listTools(
  { query = '', server }: ToolFilter,
  { pools, natives }: { pools: ReadonlyMap<string, Pool>; natives: readonly NativeTool[] },
): Promise<ListedTool[]> {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = [...pools.values()].filter((pool) => server === undefined || pool.server === server);
  const own = server === undefined || server === nativeServer ? natives.map(listNative) : [];
  const others = await Promise.all(chosen.map(listPool));
  return [...own, ...others.flat()].filter(({ name, description }) => {
    const text = `${name} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

async function listPool(pool: Pool): Promise<ListedTool[]> {
  const list = await pool.tools({ isFresh: false, timeoutMs: listTimeoutMs }).catch(() => undefined);
  return (list?.tools ?? []).map((tool) => ({
    name: `${pool.server}.${tool.name}`,
    description: tool.description ?? '',
    health: healthOf(pool),
    isReadOnly: isReadOnly(tool),
    inputSchema: (tool.inputSchema ?? {}) as JsonObject,
    listedAt: list?.listedAt ?? null,
  }));
}

export function healthOf(pool: Pool): ServerHealth {
  const instances = pool.instances();
  if (instances.some(({ state }) => state === 'ready')) return 'up';
  return instances.length === 0 || instances.some(isSick) ? 'down' : 'idle';
}

/** Whether it should be up and is not. A first start is not sickness, a restart is. */
export function isSick({ state, restarts }: InstanceView): boolean {
  return state !== 'ready' && state !== 'stopped' && (state !== 'starting' || restarts > 0);
}

function listNative(tool: NativeTool): ListedTool {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, { io: 'input', unrepresentable: 'any' });
  return {
    name: tool.name,
    description: tool.description,
    health: 'native',
    isReadOnly: true,
    inputSchema: schema as JsonObject,
    listedAt: null,
  };
}
