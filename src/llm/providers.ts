import { anthropic } from './anthropic.js';
import { claudeCode } from './claude-code.js';
import { codex } from './codex.js';
import { compatible } from './compatible.js';
import { custom } from './custom.js';
import { geminiCli } from './gemini-cli.js';
import { google } from './google.js';
import { ollama } from './ollama.js';
import { openai } from './openai.js';
import { opencode } from './opencode.js';
import type { ProviderDeclaration } from './provider.js';

/** All providers, in the order of preference: the first that is configured gives the default model. */
export const providers: readonly ProviderDeclaration[] = [
  anthropic,
  google,
  openai,
  compatible,
  ollama,
  claudeCode,
  codex,
  geminiCli,
  opencode,
  custom,
];
