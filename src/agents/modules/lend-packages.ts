import * as nodeModule from 'node:module';

/**
 * Lets the user's own modules import `agent-runtime-mcp` and `zod` from any directory, also when npx runs this program
 * from its cache. An import that fails at their place is resolved from this program's place.
 */
export function lendPackages(): void {
  const lender = { self: new URL('./index.js', import.meta.url).href, parentURL: import.meta.url };
  if (nodeModule.registerHooks) nodeModule.registerHooks(createHooks(lender));
  // Before Node 22.15 such hooks run on a thread of their own, which takes source text only.
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

/** The same hooks for the thread, where `next` is asynchronous. */
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
