import { conversationHeader, projectHeader } from '../mcp/remote/headers.js';

/** For which conversation and project a client's own server process forwards a request, as far as it says. */
export function forwarderOf({ headers }: Request): { clientSessionId: string | undefined; project: string } {
  return {
    clientSessionId: headers.get(conversationHeader) ?? undefined,
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
