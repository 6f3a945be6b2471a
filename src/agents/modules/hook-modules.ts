import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import {
  isOwnFile,
  type Lender,
  type Loaded,
  loadTypeScript,
  meaningsOf,
  type ResolveContext,
} from './module-hooks.js';

/** What was imported of the user's own files since the hooks were put in, as addresses. */
export type ImportedFiles = () => string[];

/**
 * Lets the user's own modules be TypeScript, import `agent-runtime-mcp` and `zod` from any directory, also when npx runs
 * this program from its cache, and maps the lines of their stacks to what the user wrote.
 */
export function hookModules(): ImportedFiles {
  process.setSourceMapsEnabled(true);
  const lender: Lender = { self: new URL('./index.js', import.meta.url).href, parentURL: import.meta.url };
  // Before Node 22.15 such hooks run on a thread of their own.
  return nodeModule.registerHooks ? hookHere(lender, nodeModule.registerHooks) : hookOnThread(lender);
}

type Resolve = (specifier: string, context: ResolveContext) => { url: string };
type Load = (url: string, context: object) => Loaded;

function hookHere(lender: Lender, register: RegisterHooks): ImportedFiles {
  const files = new Set<string>();
  register({
    resolve(specifier, context, next) {
      let failure: unknown;
      for (const meaning of meaningsOf(specifier, context, lender)) {
        try {
          return next(...meaning);
        } catch (error) {
          failure ??= error;
        }
      }
      throw failure;
    },
    load(url, context, next) {
      if (isOwnFile(url)) files.add(url);
      return loadTypeScript(url) ?? next(url, context);
    },
  });
  return () => [...files];
}

/** Throws ENOENT if the working directory is gone. */
function hookOnThread(lender: Lender): ImportedFiles {
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const data: HookThreadData = { lender, port: port2 };
  inOwnDirectory(() =>
    nodeModule.register(new URL('./hook-thread.js', import.meta.url), { data, transferList: [port2] }),
  );
  const files = new Set<string>();
  return () => {
    for (;;) {
      const received = receiveMessageOnPort(port1) as { message: string } | undefined;
      if (!received) return [...files];
      files.add(received.message);
    }
  };
}

/** Node's thread ends if its directory goes while it starts, and is then waited for without end; this one stays. */
function inOwnDirectory(act: () => void): void {
  const directory = process.cwd();
  process.chdir(fileURLToPath(new URL('.', import.meta.url)));
  act();
  process.chdir(directory);
}

export interface HookThreadData {
  lender: Lender;
  /** Gets the address of each file of the user's own that is imported. */
  port: MessagePort;
}

type RegisterHooks = (hooks: {
  resolve(specifier: string, context: ResolveContext, next: Resolve): { url: string };
  load(url: string, context: object, next: Load): Loaded;
}) => void;

declare module 'node:module' {
  /** Node 22.15 and newer. */
  const registerHooks: RegisterHooks | undefined;
}
