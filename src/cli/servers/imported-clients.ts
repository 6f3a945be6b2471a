/** The clients whose own files `servers import --client` reads. */
export const importedClients = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'codex', 'windsurf'] as const;

export type ImportedClient = (typeof importedClients)[number];
