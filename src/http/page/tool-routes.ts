import { z } from 'zod';
import type { Route } from '../../downstream/routing/routes.js';
import { defineTool } from '../../tools/call/define-tool.js';

/** `tool_routes`: the stored rules of routing, by tool. */
const toolRoutes = z.strictObject({
  routes: z.array(
    z.strictObject({
      tool: z.string(),
      prefer: z.string().optional(),
      backups: z.array(z.string()),
      cache_seconds: z.int().optional(),
      retry_safe: z.boolean().optional(),
    }),
  ),
});

export type ToolRoutes = z.infer<typeof toolRoutes>;

const showRoute = ({ cacheSeconds, retrySafe, ...route }: Route) => ({
  ...route,
  cache_seconds: cacheSeconds,
  retry_safe: retrySafe,
});

export const toolRouteReads = [
  defineTool({
    name: 'tool_routes',
    title: 'Routes of tools',
    effect: 'read',
    description: 'The stored rules of routing, which set_tool_route changes.',
    input: z.strictObject({}),
    output: toolRoutes,
    handler: async (_, { runtime }) => ({ routes: (await runtime.downstream.routes()).map(showRoute) }),
  }),
];
