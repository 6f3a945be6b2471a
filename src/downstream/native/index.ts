import type { NativeTool } from './define-native-tool.js';

/** The tools that this program has itself. */
export const nativeTools: readonly NativeTool[] = [];
