/** By these a client's own server process says which conversation and project it forwards. */
export const conversationHeader = 'agent-runtime-conversation';
export const projectHeader = 'agent-runtime-project';
