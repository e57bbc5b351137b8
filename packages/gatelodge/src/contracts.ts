export {
  type RepositoryCheck,
  type RepositoryUnderTest,
  userRepositoryContract,
} from './library/user-repository-contract.ts'
