// What every client that signs keeps to, in a page as on the command line.

/** A shorter secret can be guessed: no node takes it. */
export const leastSecretBytes = 16;

/** Up to here a request token carries the body itself, as the tokens of other clients do; beyond, its hash keeps headers small. */
export const longestBodyInToken = 4096;

/** How long a request token may be on its way. */
export const requestTokenLifetimeSec = 60;
