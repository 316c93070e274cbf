// Rules for every client that signs tokens, in the console and on the command line.

/** A shorter secret can be guessed: every node rejects it. */
export const leastSecretBytes = 16;

/** Up to this size a request token contains the body, as the peer's tokens do; larger bodies are hashed to keep headers small. */
export const longestBodyInToken = 4096;

/** Lifetime of a request token. */
export const requestTokenLifetimeSec = 60;
