declare const __VERSION__: string | undefined;
declare const __HOMEPAGE__: string | undefined;

/** The package's version, written in by the build. */
export const version: string = typeof __VERSION__ === 'string' ? __VERSION__ : '0.0.0-source';

/** The package's home page, if it names one. */
export const homepage: string | undefined = typeof __HOMEPAGE__ === 'string' && __HOMEPAGE__ ? __HOMEPAGE__ : undefined;
