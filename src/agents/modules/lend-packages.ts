import * as nodeModule from 'node:module';

/**
 * Lets modules of the user's own import `agent-runtime-mcp` and `zod` wherever they lie, also when this program was
 * started by npx and is installed nowhere near: what they do not find there is resolved as if this program asked.
 */
export function lendPackages(): void {
  const lender = { self: new URL('./index.js', import.meta.url).href, parentURL: import.meta.url };
  if (nodeModule.registerHooks) nodeModule.registerHooks(createHooks(lender));
  // Before Node 22.15 such hooks live on a thread of their own, to which only text can be brought.
  else nodeModule.register(`data:text/javascript,${encodeURIComponent(threadSource)}`, { data: lender });
}

interface Lender {
  self: string;
  parentURL: string;
}

type Resolve = (specifier: string, context: object) => { url: string };

function createHooks({ self, parentURL }: Lender) {
  return {
    resolve(specifier: string, context: object, next: Resolve) {
      try {
        return next(specifier, context);
      } catch (error) {
        if (specifier === 'agent-runtime-mcp') return { url: self, shortCircuit: true };
        if (/^zod(\/|$)/.test(specifier)) return next(specifier, { ...context, parentURL });
        throw error;
      }
    },
  };
}

/** The same for the thread, where `next` is asynchronous. */
const threadSource = `
  let lender;
  export const initialize = (data) => { lender = data; };
  export async function resolve(specifier, context, next) {
    try {
      return await next(specifier, context);
    } catch (error) {
      if (specifier === 'agent-runtime-mcp') return { url: lender.self, shortCircuit: true };
      if (/^zod(\\/|$)/.test(specifier)) return next(specifier, { ...context, parentURL: lender.parentURL });
      throw error;
    }
  }`;

declare module 'node:module' {
  /** Node 22.15 and newer. */
  const registerHooks: ((hooks: ReturnType<typeof createHooks>) => void) | undefined;
}
