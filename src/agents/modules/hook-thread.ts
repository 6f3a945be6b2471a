import type { HookThreadData } from './hook-modules.js';
import { isOwnFile, loadTypeScript, meaningsOf, type ResolveContext } from './module-hooks.js';

/** The thread on which Node before 22.15 runs the hooks of imports; the names of its exports are Node's. */
let given: HookThreadData | undefined;

export function initialize(data: HookThreadData): void {
  given = data;
  // Its port must not keep the process alive.
  data.port.unref();
}

export async function resolve(
  specifier: string,
  context: ResolveContext,
  next: (specifier: string, context: ResolveContext) => Promise<{ url: string }>,
) {
  let failure: unknown;
  for (const meaning of given ? meaningsOf(specifier, context, given.lender) : []) {
    try {
      return await next(...meaning);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

export async function load(url: string, context: object, next: (url: string, context: object) => Promise<object>) {
  if (isOwnFile(url)) given?.port.postMessage(url);
  return loadTypeScript(url) ?? next(url, context);
}
