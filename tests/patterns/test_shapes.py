from smwatch import patterns


def test_the_alarm_of_the_aws_documentation_finds_a_call_for_a_deleted_secret() -> None:
    pattern = patterns.compile(
        '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }'
    )
    message = (
        '{"eventName": "GetSecretValue", "errorMessage": "You can\'t perform this operation on the'
        ' secret because it was marked for deletion."}'
    )
    assert pattern.matches(message)
    assert not pattern.matches('{"eventName": "GetSecretValue"}')
