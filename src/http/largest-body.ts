/** The largest request: a description of 1 MB, and room for the rest. */
export const largestBody = 4 * 1024 * 1024;
