import { z } from 'zod';
import { RuntimeError } from '../base/errors.js';
import { defineTool } from './call/define-tool.js';

const codeLifeMs = 10 * 60_000;

/** Where people can see the runtime. */
export const dashboardTools = [
  defineTool({
    name: 'dashboard_url',
    title: 'Address of the dashboard',
    effect: 'write',
    isIdempotent: true,
    description:
      'Where a person can watch and steer all of this in a browser: an address that lets its reader in once, within ten ' +
      'minutes. Give it to the user as it is. It needs a running dashboard; without one it says how to start it.',
    input: z.strictObject({}),
    output: z.object({ url: z.string(), read_only: z.boolean(), expires_in_seconds: z.int() }),
    text: (output) => `Dashboard: ${output.url}`,
    handler: async (_input, { runtime }) => {
      const [server] = (await runtime.httpServers.live()).filter(({ hasPage }) => hasPage);
      if (!server) {
        throw new RuntimeError(
          'unavailable',
          'No dashboard is running.',
          'Ask the user to run `agent-runtime dashboard --open` in a terminal, then call this again.',
        );
      }
      const code = await runtime.access.createCode(codeLifeMs);
      return {
        url: `${server.url}/?code=${code}`,
        read_only: server.isReadOnly,
        expires_in_seconds: codeLifeMs / 1000,
      };
    },
  }),
];
