/** The channel of questions between agents. The sender of a question is the asking session's ID. */
export const QUESTION_CHANNEL = 'agent';
