def main() -> None:
    print(1, 2, sep='-', end='!\n')

if __name__ == '__main__':
    main()
