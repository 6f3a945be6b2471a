/** The shells that can complete this program's commands. */
export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/** The word by which the script of a shell asks this program for candidates. No command begins like this. */
export const completionRequest = '__complete';
