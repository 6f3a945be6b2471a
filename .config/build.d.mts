import type { BuildOptions } from 'esbuild';

export const entryPoints: Record<string, string>;
export const bundling: BuildOptions;
export function bundleInto(outdir: string): Promise<string[]>;
export function licences(inputs: readonly string[]): string;
export function keepPublicTypes(directory: string): void;
