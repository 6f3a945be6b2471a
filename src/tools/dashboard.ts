import { z } from 'zod';
import { codeLifeMs } from '../core/access/browser-sessions.js';
import { findOrStartDashboard } from '../services/dashboard.js';
import { defineTool } from './call/define-tool.js';

/** The dashboard, where people can see and control the runtime. */
export const dashboardTools = [
  defineTool({
    name: 'dashboard_url',
    title: 'Get the dashboard URL',
    // It changes nothing that anybody works with, and who may only read gets an address that may only read.
    effect: 'read',
    description:
      'Returns an address for the user, to watch and control the runtime in a browser; it opens once, within ten minutes.',
    input: z.strictObject({}),
    output: z.strictObject({ url: z.string(), read_only: z.boolean(), expires_in_seconds: z.int() }),
    text: ({ url, read_only, expires_in_seconds }) =>
      `Dashboard: ${url} (opens once, within ${expires_in_seconds} seconds${read_only ? ', to read only' : ''})`,
    handler: async (_input, { runtime, rights }) => {
      const server = await findOrStartDashboard(runtime, rights);
      const code = await runtime.access.createCode(rights);
      return {
        url: `${server.url}/?code=${code}`,
        read_only: server.isReadOnly || rights.isReadOnly,
        expires_in_seconds: codeLifeMs / 1000,
      };
    },
  }),
];
