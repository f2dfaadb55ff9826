/** Least characters of a secret that is given rather than made: 22 of base64url are 128 bits. */
export const MIN_SECRET_CHARACTERS = 22;

/** Most characters of a secret: what is longer is none, and a header that holds it would be refused for its length. */
export const MAX_SECRET_CHARACTERS = 200;
