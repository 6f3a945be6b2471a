import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  ListResourcesRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Runtime } from '../runtime.js';

const metrics = {
  uri: 'metrics://summary',
  name: 'metrics',
  title: 'Metrics of the last hour',
  description: 'What get_metrics returns for the last hour, as JSON.',
  mimeType: 'application/json',
};
const windowMs = 3_600_000;

/** What a client can read beside the tools (MCP spec 2025-11-25, resources). */
export function serveResources(server: Server, runtime: () => Promise<Runtime>): void {
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [metrics] }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
    if (uri !== metrics.uri) throw new McpError(ErrorCode.InvalidParams, `There is no resource ${uri}.`, { uri });
    const [{ showMetrics }, opened] = await Promise.all([import('../tools/show-metrics.js'), runtime()]);
    const text = JSON.stringify(showMetrics(await opened.metrics.summary(windowMs)));
    return { contents: [{ uri, mimeType: metrics.mimeType, text }] };
  });
}
