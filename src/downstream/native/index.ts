import type { NativeTool } from './define-native-tool.js';
import { searchArxiv } from './search-arxiv.js';
import { webSearch } from './web-search.js';

export { defineNativeTool, type NativeContext, type NativeSettings, type NativeTool } from './define-native-tool.js';

/** The tools that are built in. What they need of heavy libraries they import when they are called. */
export const nativeTools: readonly NativeTool[] = [searchArxiv, webSearch];
