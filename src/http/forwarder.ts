import { clientHeader, conversationHeader, projectHeader } from '../mcp/remote/headers.js';

/** For whom and for which project a client's own server process forwards a request, as far as it says. */
export interface Forwarder {
  clientSessionId: string | undefined;
  clientId: string | undefined;
  project: string;
}

export function forwarderOf({ headers }: Request): Forwarder {
  return {
    clientSessionId: headers.get(conversationHeader) ?? undefined,
    clientId: headers.get(clientHeader) ?? undefined,
    project: decoded(headers.get(projectHeader) ?? ''),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
