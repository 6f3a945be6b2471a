/** By these a client's own server process says which conversation and project it forwards. */
export const conversationHeader = 'agent-runtime-conversation';
/** Under this name it is known again, where it knows no conversation. */
export const clientHeader = 'agent-runtime-client';
export const projectHeader = 'agent-runtime-project';
