# What customers are told in Korean. `.subject` is for e-mail.
# $code, $show, $branch, $starts_at, $seats, $total, $refund, $until and, for a transfer or a payment through the provider,
# $pay_by and $account; $payment is transfer, provider, on-site or nothing. Of an offered place only $code, $show, $branch,
# $starts_at, $seats and $until are known.

placed = [{ $branch }] { $payment ->
        [transfer] 예약이 접수되었습니다. { $show }, { $starts_at }, { $seats }. 예약 번호 { $code }. { $pay_by }까지 { $total }을(를) { $account }으로(로) 입금해 주세요.
        [provider] 예약이 접수되었습니다. { $show }, { $starts_at }, { $seats }. 예약 번호 { $code }. { $pay_by }까지 { $total }을(를) { $account }에서 결제해 주세요.
        [on-site] 예약이 완료되었습니다. { $show }, { $starts_at }, { $seats }. 예약 번호 { $code }. { $total }은(는) 현장에서 결제해 주세요.
       *[nothing] 예약이 완료되었습니다. { $show }, { $starts_at }, { $seats }. 예약 번호 { $code }.
    }
    .subject = 예약 { $code }: { $show }
payment-due = [{ $branch }] { $payment ->
        [provider] 예약 { $code }의 결제 기한이 곧 끝납니다. { $pay_by }까지 { $total }을(를) { $account }에서 결제해 주세요. 결제되지 않으면 예약이 만료됩니다.
       *[transfer] 예약 { $code }의 입금 기한이 곧 끝납니다. { $pay_by }까지 { $total }을(를) { $account }으로(로) 입금해 주세요. 입금되지 않으면 예약이 만료됩니다.
    }
    .subject = 예약 { $code }: 입금 기한 안내
paid = [{ $branch }] 예약 { $code }의 결제가 확인되었습니다. { $show }, { $starts_at }, { $seats }.
    .subject = 예약 { $code }: 결제 확인
cancelled = [{ $branch }] 예약 { $code }이(가) 취소되었습니다. { $show }, { $starts_at }.
    .subject = 예약 { $code }: 취소
expired = [{ $branch }] 예약 { $code }이(가) 기한 안에 입금되지 않아 만료되었습니다. { $show }, { $starts_at }.
    .subject = 예약 { $code }: 만료
rescheduled = [{ $branch }] 예약 { $code }이(가) 변경되었습니다. { $show }, { $starts_at }, { $seats }.
    .subject = 예약 { $code }: 변경
reschedule-offered = [{ $branch }] 지점 사정으로 예약 { $code }의 회차를 진행할 수 없습니다. { $until }까지 다른 회차로 옮기거나 수수료 없이 취소해 주세요.
    .subject = 예약 { $code }: 회차 변경 안내
reinstated = [{ $branch }] 늦은 입금이 확인되어 예약 { $code }이(가) 다시 확정되었습니다. { $show }, { $starts_at }, { $seats }.
    .subject = 예약 { $code }: 다시 확정
slot-offered = [{ $branch }] 만료된 예약 { $code }의 입금이 확인되었습니다. 같은 조건의 다른 회차를 { $until }까지 받으시거나 환불을 선택해 주세요.
    .subject = 예약 { $code }: 다른 회차 안내
refund-due = [{ $branch }] 예약 { $code }의 { $refund }을(를) 환불해 드립니다.
    .subject = 예약 { $code }: 환불 예정
refunded = [{ $branch }] 예약 { $code }의 환불이 처리되었습니다.
    .subject = 예약 { $code }: 환불 완료
place-offered = [{ $branch }] 기다리시던 자리가 났습니다. { $show }, { $starts_at }, { $seats }. { $until }까지 예약해 주세요. 그 뒤에는 다음 분에게 넘어갑니다. 대기 번호 { $code }.
    .subject = 대기 { $code }: 자리가 났습니다
