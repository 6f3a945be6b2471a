import { fileURLToPath } from 'node:url';

/** The name that clients know the server by; it is part of every tool's name there. */
export const serverName = 'agent-runtime';

export const packageName = 'agent-runtime-mcp';

/** How a client starts the server. */
export interface Launch {
  command: string;
  args: string[];
}

/** By npm's package runner, which needs `npx` on the client's PATH; on Windows it is a script that only a shell starts. */
export function npxLaunch(platform: NodeJS.Platform): Launch {
  return platform === 'win32'
    ? { command: 'cmd', args: ['/c', 'npx', '-y', packageName] }
    : { command: 'npx', args: ['-y', packageName] };
}

/**
 * By full paths, for programs that are started from a desktop and so do not see the PATH of a shell.
 * Nothing when the program lies in npx's cache: no path there lasts.
 */
export function directLaunch(nodePath: string, mainPath: string): Launch | undefined {
  return isInNpxCache(mainPath) ? undefined : { command: nodePath, args: [mainPath] };
}

/** The cache is swept, and its paths change with every version. */
export function isInNpxCache(path: string): boolean {
  return /[/\\]_npx[/\\]/.test(path);
}

/** This package's entry as npm installed it; the bundle's parts lie side by side. */
export function mainEntry(): string {
  return fileURLToPath(new URL('./main.js', import.meta.url));
}
