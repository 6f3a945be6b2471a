import type { NativeTool } from './define-native-tool.js';
import { searchArxiv } from './search-arxiv.js';
import { webSearch } from './web-search.js';

export { defineNativeTool, type NativeContext, type NativeSettings, type NativeTool } from './define-native-tool.js';

/** The built-in tools. They import heavy libraries when they are called, not before. */
export const nativeTools: readonly NativeTool[] = [searchArxiv, webSearch];
