import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Config } from '../../base/config.js';
import { readLocalToken } from '../../base/private-files.js';
import { createRemoteConnection } from './connection.js';
import { conversationHeader, projectHeader } from './headers.js';
import { createRemoteServer } from './remote-server.js';

/** A server for the client at stdin and stdout over the runtime at another address. */
export function openRemote(
  config: Config,
  { url, token }: NonNullable<Config['remote']>,
): { server: Server; close(): void } {
  const connection = createRemoteConnection({
    url,
    // Whoever can read the file on this machine is its owner there too. The first server there writes it.
    token: () => token ?? (isLoopback(url) ? readLocalToken(config.dataDir) : undefined),
    headers: {
      // A path may hold what a header may not.
      [projectHeader]: encodeURIComponent(config.project),
      ...(config.clientSessionId ? { [conversationHeader]: config.clientSessionId } : {}),
    },
  });
  const server = createRemoteServer({
    url,
    connection,
    async ownTools() {
      const [{ chooseTools }, { describeTool }] = await Promise.all([
        import('../../tools/index.js'),
        import('../call-tool.js'),
      ]);
      return chooseTools(config).map(describeTool);
    },
  });
  return { server, close: () => void connection.close() };
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}
