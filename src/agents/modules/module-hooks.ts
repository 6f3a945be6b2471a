import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'sucrase';

/** From where modules borrow the packages that they import and do not have. */
export interface Lender {
  /** Address of this program's library. */
  self: string;
  /** Address of a file beside which `zod` is found. */
  parentURL: string;
}

export interface ResolveContext {
  parentURL?: string | undefined;
}

export interface Loaded {
  format: 'module';
  source: string;
  shortCircuit: true;
}

/**
 * What an import may mean, in the order in which it is tried: what it says; in TypeScript, the source of the file that a
 * compiler would have written; and, wherever the module is, this program's own packages.
 */
export function* meaningsOf<Context extends ResolveContext>(
  specifier: string,
  context: Context,
  { self, parentURL }: Lender,
): Generator<[specifier: string, context: Context]> {
  yield [specifier, context];
  if (/^(\.|\/|file:)/.test(specifier) && isTypeScript(context.parentURL ?? '')) {
    if (/\.m?js$/.test(specifier)) yield [specifier.replace(/js$/, 'ts'), context];
    else for (const ending of ['.ts', '.mts', '/index.ts']) yield [specifier + ending, context];
  }
  if (specifier === 'agent-runtime-mcp') yield [self, context];
  if (/^zod(\/|$)/.test(specifier)) yield [specifier, { ...context, parentURL }];
}

/**
 * A TypeScript file as JavaScript; undefined for any other file. The same on every version of Node: enums and imports of
 * types alone work too, which Node's own stripping refuses. Throws a SyntaxError that names the file and the line.
 */
export function loadTypeScript(url: string): Loaded | undefined {
  if (!isTypeScript(url)) return undefined;
  const filePath = fileURLToPath(withoutQuery(url));
  return { format: 'module', source: toJavaScript(readFileSync(filePath, 'utf8'), filePath), shortCircuit: true };
}

/** Whether a file is of the user's own, so that its text decides what the module is. */
export function isOwnFile(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/');
}

const withoutQuery = (url: string): string => url.replace(/[?#].*$/, '');

const isTypeScript = (url: string): boolean => url.startsWith('file:') && /\.m?ts$/.test(withoutQuery(url));

function toJavaScript(text: string, filePath: string): string {
  try {
    const { code, sourceMap } = transform(text, {
      transforms: ['typescript'],
      filePath,
      disableESTransforms: true,
      preserveDynamicImport: true,
      injectCreateRequireForImportRequire: true,
      sourceMapOptions: { compiledFilename: filePath },
    });
    const map = Buffer.from(JSON.stringify(sourceMap)).toString('base64');
    return `${code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`;
  } catch (cause) {
    // It says `Error transforming PATH: What is wrong (3:5)`.
    const [, what, line, column] =
      /^Error transforming .*?: (.*) \((\d+):(\d+)\)$/s.exec(String((cause as Error).message)) ?? [];
    if (what === undefined) throw cause;
    throw new SyntaxError(`${what} at ${filePath}:${line}:${column}`, { cause });
  }
}
