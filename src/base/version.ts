declare const __VERSION__: string | undefined;

/** The package's version, written in by the build. */
export const version: string = typeof __VERSION__ === 'string' ? __VERSION__ : '0.0.0-source';
