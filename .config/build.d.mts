import type { BuildOptions, Metafile } from 'esbuild';

export const entryPoints: Record<string, string>;
export const bundling: BuildOptions;
export function bundleInto(outdir: string): Promise<Metafile>;
export function keepPublicTypes(directory: string): void;
