/** Vite's `?url` imports: the address of a file that the build serves beside the code. */
declare module "*?url" {
  const url: string;
  export default url;
}
