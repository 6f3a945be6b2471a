import { lendPackages } from './agents/modules/lend-packages.js';
import { serveModule } from './agents/modules/serve-module.js';

/** Entry of the child process that describes a module of the user's own and checks payloads by its schemas. */
lendPackages();
serveModule(process.argv[2] ?? '');
