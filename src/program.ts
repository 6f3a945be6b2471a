/** The program's processes, by the file of dist/ that starts each; one does not load the others' parts. */
export const entries = {
  async main(args: string[]): Promise<void> {
    const { main } = await import('./main.js');
    await main(args);
  },
  async 'job-runner'([runnerId = '']: string[]): Promise<void> {
    const { runJobs } = await import('./job-runner.js');
    await runJobs(runnerId);
  },
  async 'server-keeper'([socket = '']: string[]): Promise<void> {
    const { keepServers } = await import('./server-keeper.js');
    await keepServers(socket);
  },
};
